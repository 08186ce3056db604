// Turn the mapping's text area into an editor: colours, completion, and mistakes at their lines. Without it all works too.
(() => {
  "use strict";
  const cm = window.CodeMirror;
  const spoken = new cm.Compartment(); // what the editor itself says, in the reader's language
  let nonce = "", words = null, view = null;

  const colours = cm.HighlightStyle.define([
    { tag: cm.tags.comment, color: "var(--calm)" },
    { tag: [cm.tags.propertyName, cm.tags.definition(cm.tags.propertyName)], color: "var(--pico-primary)" },
    { tag: [cm.tags.string, cm.tags.special(cm.tags.string)], color: "var(--warn)" },
    { tag: [cm.tags.keyword, cm.tags.meta], color: "var(--bad)" },
  ]);
  const look = cm.EditorView.theme({
    "&": { border: "1px solid var(--pico-form-element-border-color)", borderRadius: "var(--pico-border-radius)" },
    ".cm-content": { caretColor: "var(--pico-color)" },
    ".cm-cursor": { borderLeftColor: "var(--pico-color)" },
    ".cm-scroller": { maxHeight: "36rem", fontFamily: "inherit", lineHeight: "1.5" },
    ".cm-gutters": { background: "transparent", color: "var(--calm)", border: "0" },
    ".cm-activeLine, .cm-activeLineGutter": { background: "color-mix(in srgb, var(--calm-bg) 55%, transparent)" },
    "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { background: "var(--calm-bg) !important" },
    ".cm-tooltip": { background: "var(--pico-card-background-color)", color: "var(--pico-color)", border: "1px solid var(--calm)" },
    ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--pico-primary-background)", color: "#fff" },
    ".cm-diagnosticText, .cm-completionInfo": { display: "block", unicodeBidi: "plaintext", textAlign: "start" },
    ".cm-panels": { background: "var(--calm-bg)", color: "var(--pico-color)" },
  });

  // What a place in the text takes: told by the words before it on its line, and by the lines above that hold it.
  function parents(state, line) {
    const found = [];
    let indent = line.text.search(/\S|$/);
    for (let number = line.number - 1; number > 0 && indent > 0; number--) {
      const match = /^(\s*)(?:- )?("?)([^\s#"'][^:"]*)\2:(?:\s|$)/.exec(state.doc.line(number).text);
      if (match && match[1].length < indent) {
        found.unshift(match[3]);
        indent = match[1].length;
      }
    }
    return found;
  }

  function targets(state) {
    const fields = /^fields:[^\n]*\n((?:[ #][^\n]*\n|\n)*)/m.exec(state.doc.toString());
    const names = fields ? fields[1].matchAll(/^  (?:"([^"\n]+)"|([^\s#"'][^:\n]*)):/gm) : [];
    return [...names].map((one) => ({ label: one[1] || one[2] }));
  }

  function taken(state, line, before) {
    const above = parents(state, line);
    const key = /(?:^|[\s{,])([a-z_]+):\s*(?:\[[^\]]*|[\w.]*)$/.exec(before)?.[1];
    const held = key || (/^\s*-\s/.test(before) ? above.at(-1) : "");
    if (["from", "first_of", "join", "ignore"].includes(held)) return words.paths;
    if (held === "use") return words.uses;
    if (["match", "fill_if_empty", "keep", "overwrite"].includes(held)) return targets(state);
    if (held === "given") return words.samples;
    if (["on_invalid", "on_junk"].includes(held)) return words.on_invalid;
    if (held === "on_name_taken") return words.on_name_taken;
    if (above[0] === "fields" && above.length === 1 && /^\s*("[^"]*"|[^\s#"'{:][^:]*):\s+[\w.]*$/.test(before)) return words.paths;
    if (above[0] === "fields" && (above.length >= 2 || /\{[^}]*$/.test(before))) return words.rule;
    if (above[0] === "on_update") return words.on_update;
    return /^\w*$/.test(before) ? words.keys : null;
  }

  function complete(context) {
    const word = context.matchBefore(/[\w.]*/);
    if (!words || (word.from === word.to && !context.explicit)) return null;
    const line = context.state.doc.lineAt(context.pos);
    const options = taken(context.state, line, line.text.slice(0, context.pos - line.from));
    return options ? { from: word.from, options, validFor: /^[\w.]*$/ } : null;
  }

  // What a mistake is, without its line, which is seen, and without the English below what is said in another language.
  function said(problem) {
    const parts = [...problem.childNodes].slice(1).filter((part) => !part.matches?.(".core"));
    const names = parts.length > 2; // they run from left to right within a sentence that may not
    return parts.map((part) => (names && part.dir ? `\u2066${part.textContent}\u2069` : part.textContent)).join("").trim();
  }

  const speak = () => (words ? cm.EditorState.phrases.of(words.phrases) : []);

  function mark() {
    if (!view || !view.dom.isConnected) return;
    const found = [...document.querySelectorAll("#preview [data-line]")].map((one) => {
      const number = Math.min(Math.max(Number(one.dataset.line), 1), view.state.doc.lines);
      const line = view.state.doc.line(number);
      const from = Math.min(line.from + Math.max(Number(one.dataset.column) - 1, 0), line.to);
      return { from, to: line.to, severity: "error", message: said(one) };
    });
    view.dispatch(cm.setDiagnostics(view.state, found));
  }

  function mount() {
    const area = document.querySelector("#written textarea");
    if (!area || area.previousElementSibling?.matches(".editor")) return;
    nonce = nonce || area.dataset.nonce;
    const place = document.createElement("div");
    place.className = "editor code";
    place.dir = "ltr";
    area.before(place); // the style sheet hides the text area behind it
    view = new cm.EditorView({
      parent: place,
      state: cm.EditorState.create({
        doc: area.value,
        extensions: [
          cm.EditorView.cspNonce.of(nonce), cm.lineNumbers(), cm.history(), cm.drawSelection(), cm.highlightActiveLine(),
          cm.highlightActiveLineGutter(), cm.highlightSpecialChars(), cm.indentOnInput(), cm.bracketMatching(),
          cm.closeBrackets(), cm.indentUnit.of("  "), cm.EditorView.lineWrapping, cm.yaml(), cm.syntaxHighlighting(colours), look, cm.lintGutter(), spoken.of(speak()),
          cm.autocompletion({ override: [complete] }),
          // The Tab key goes on to the next field: nobody is caught in the text.
          cm.keymap.of([...cm.closeBracketsKeymap, ...cm.defaultKeymap, ...cm.historyKeymap, ...cm.completionKeymap,
            ...cm.lintKeymap, ...cm.searchKeymap]),
          cm.EditorView.contentAttributes.of({ "aria-label": area.dataset.label }),
          cm.EditorView.updateListener.of((update) => {
            if (!update.docChanged) return;
            area.value = update.state.doc.toString();
            area.dispatchEvent(new Event("input", { bubbles: true }));
          }),
        ],
      }),
    });
    if (!words) fetch(area.dataset.words).then((answer) => answer.json()).then((read) => {
      words = read;
      view.dispatch({ effects: spoken.reconfigure(speak()) });
    }, () => {});
    mark();
  }

  // What was picked is in the text now: picked again is only what changes from here.
  function taken_over() {
    for (const one of document.querySelectorAll("#draft select[name^='source:']")) {
      const was = one.form.elements[one.name.replace("source:", "was:")];
      if (was) was.value = one.value;
    }
  }

  document.addEventListener("htmx:after:settle", () => {
    if (!view || !view.dom.isConnected) taken_over();
    mount();
    mark();
  });
  mount();
})();
