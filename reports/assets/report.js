// Only comfort: the page is complete without this. It adds search, sorting, copying and "open all".
(() => {
  "use strict";

  const make = (tag, text) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    return element;
  };

  const button = (text, action) => {
    const element = make("button", text);
    element.type = "button";
    element.addEventListener("click", action);
    return element;
  };

  // Search: a table row (one <tbody>) stays when it holds every word of the box.
  for (const slot of document.querySelectorAll('[data-slot="table"]')) {
    const table = document.getElementById(slot.dataset.for);
    if (!table) continue;
    const what = slot.dataset.what;
    const rows = Array.from(table.tBodies);
    if (rows.length < 2) continue;
    const texts = rows.map((row) => row.textContent.toLowerCase());
    const label = make("label", `Search ${what} `);
    const box = make("input");
    box.type = "search";
    box.autocomplete = "off";
    box.spellcheck = false;
    const said = make("output");
    box.addEventListener("input", () => {
      const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, i) => {
        const keep = words.every((word) => texts[i].includes(word));
        row.hidden = !keep;
        if (keep) shown += 1;
      });
      said.textContent = words.length ? `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} ${what}` : "";
    });
    label.append(box);
    slot.append(label, said);
  }

  // Sorting: by data-v where a cell has it, else by its text. The first click sorts numbers downwards.
  const valueOf = (row, index) => {
    const cell = row.rows[0].cells[index];
    return cell.dataset.v !== undefined ? cell.dataset.v : cell.textContent.trim().toLowerCase();
  };
  const compare = (a, b) => {
    if (a === b) return 0;
    if (a === "") return 1;
    if (b === "") return -1;
    if (/^\d+$/.test(a) && /^\d+$/.test(b)) {
      const x = BigInt(a);
      const y = BigInt(b);
      return x < y ? -1 : x > y ? 1 : 0;
    }
    return a < b ? -1 : 1;
  };
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, index) => {
      if (head.hasAttribute("data-nosort")) return;
      // A span and not a <button>: Chromium leaves form controls out of table heads that it repeats in print.
      const press = make("span", head.textContent.trim());
      press.setAttribute("role", "button");
      press.tabIndex = 0;
      const sort = () => {
        const before = head.getAttribute("aria-sort");
        const first = head.classList.contains("num") ? "descending" : "ascending";
        const order = before === null ? first : before === "ascending" ? "descending" : "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        const keyed = Array.from(table.tBodies, (row, i) => [valueOf(row, index), i, row]);
        keyed.sort((x, y) => sign * compare(x[0], y[0]) || x[1] - y[1]);
        table.append(...keyed.map((item) => item[2]));
      };
      press.addEventListener("click", sort);
      press.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        sort();
      });
      head.replaceChildren(press);
    });
  }

  // Copying: exactly the text that is shown, one command per line.
  for (const block of document.querySelectorAll("[data-copy]")) {
    const code = block.querySelector("code");
    const shown = Array.from(code.querySelectorAll(".cmd"), (line) => line.textContent).join("\n");
    const copy = button("Copy", async () => {
      let done = false;
      try {
        await navigator.clipboard.writeText(shown);
        done = true;
      } catch {
        const range = document.createRange();
        range.selectNodeContents(code);
        const selection = window.getSelection();
        selection.removeAllRanges();
        selection.addRange(range);
        done = document.execCommand("copy");
      }
      copy.textContent = done ? "Copied" : "Press Ctrl+C";
      setTimeout(() => {
        copy.textContent = "Copy";
      }, 2000);
    });
    block.classList.add("has-copy");
    block.prepend(copy);
  }

  // Open all: one button for every fold of the page.
  const page = document.querySelector('[data-slot="page"]');
  const folds = document.querySelectorAll("main details");
  if (page && folds.length) {
    const all = button("Open all folds", () => {
      const open = all.textContent.startsWith("Open");
      for (const item of folds) item.open = open;
      all.textContent = open ? "Close all folds" : "Open all folds";
    });
    page.append(all);
  }

  // A link to a row inside a fold, or to a row that a search hides, shows it.
  const reveal = () => {
    const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    if (!target) return;
    if (target.hidden) target.hidden = false;
    const own = target.tagName === "TBODY" ? target.querySelector("details") : null;
    if (own) own.open = true;
    for (let at = target.parentElement; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  };
  window.addEventListener("hashchange", reveal);
  reveal();

  // Print: the folds of findings hold evidence, so they are printed open.
  window.addEventListener("beforeprint", () => {
    for (const item of document.querySelectorAll(".finding details")) item.open = true;
  });
})();
