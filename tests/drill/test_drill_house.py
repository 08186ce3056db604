"""Whom the drill's chaos may kill: who has begun to work, on a busy machine too."""

import subprocess
import sys

import pytest

from connector.drill.house import PROC, House, Post
from tests.installation import wait_for


@pytest.mark.skipif(not PROC.is_dir(), reason="without /proc nobody knows how long a process had the processor")
def test_only_who_had_the_processor_to_begin_is_worth_killing(tmp_path):
    house = House(tmp_path, effort=0.5)
    codes = ("while True: pass", "import time; time.sleep(60)")
    busy, idle = (Post("door", [sys.executable, "-c", code]) for code in codes)
    house._posts = [busy, idle]
    for post in house._posts:
        post.process = subprocess.Popen(post.command)
        house._seen[post.process.pid] = float("-inf")  # old enough by the clock, both of them
    try:
        wait_for(house.victims)
        assert [victim[2] for victim in house.victims()] == [busy]
    finally:
        house.close()
