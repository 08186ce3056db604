// Copy what a button stands below, where the browser lets a page do so; else the button is not there.
for (const one of document.querySelectorAll("button[data-copies]")) {
  one.hidden = !navigator.clipboard;
  one.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(one.dataset.copies).textContent.trim());
    one.textContent = one.dataset.done;
  });
}
