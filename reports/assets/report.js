// Only comfort: the page is complete without this. It adds search, filters, sorting, pages, copying and "open all".
(() => {
  "use strict";

  // Rows of a table that are shown at a time.
  const PAGE = 50;
  const make = (tag, text, more) => Object.assign(document.createElement(tag), text === undefined ? {} : { textContent: text }, more);
  const button = (text, action) => {
    const element = make("button", text, { type: "button" });
    element.addEventListener("click", action);
    return element;
  };
  const count = (n) => n.toLocaleString("en");

  // Copying: to the clipboard, or by way of a field where the browser has none.
  const copy = async (from, text) => {
    const said = from.textContent;
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = make("textarea", undefined, { value: text });
      from.after(field);
      field.select();
      done = document.execCommand("copy");
      field.remove();
      from.focus();
    }
    from.textContent = done ? "Copied" : "Could not copy";
    setTimeout(() => (from.textContent = said), 2000);
  };
  for (const block of document.querySelectorAll("[data-copy]")) {
    const lines = () => Array.from(block.querySelectorAll(".cmd"), (line) => line.textContent);
    const press = button("Copy", () => copy(press, (lines().length ? lines() : [block.querySelector("code").textContent]).join("\n")));
    block.classList.add("has-copy");
    block.prepend(press);
  }

  // A cell's value: data-v where it has one, else its text. Numbers are compared as numbers of any size.
  const valueOf = (row, index) => {
    const cell = row.rows[0].cells[index];
    const time = cell.querySelector("time");
    return cell.dataset.v ?? (time ? time.dateTime : cell.textContent.trim().toLowerCase());
  };
  const compare = (a, b) => {
    if (a === b) return 0;
    if (a === "") return 1;
    if (b === "") return -1;
    if (/^\d+$/.test(a) && /^\d+$/.test(b)) return BigInt(a) < BigInt(b) ? -1 : 1;
    return a < b ? -1 : 1;
  };

  // One table: what is searched, chosen, sorted and turned to. All of it stands in the address, so it can be sent.
  const tables = new Map();
  const setUp = (slot) => {
    const table = document.getElementById(slot.dataset.for);
    if (!table || table.tBodies.length < 2) return;
    const section = table.closest("section");
    const what = slot.dataset.what;
    const rows = Array.from(table.tBodies);
    const heads = Array.from(table.tHead.rows[0].cells);
    const names = heads.map((head) => head.textContent.trim());
    const marks = heads.map(() => null);
    let state = {};
    let order = rows;
    let kept = rows;
    let texts = null;

    const field = (label, element) => {
      const around = make("label", `${label} `);
      around.append(element);
      slot.append(around);
      return element;
    };
    const choice = (label, key, options) => {
      const select = field(label, make("select"));
      for (const [value, text] of options) select.append(make("option", text, { value }));
      select.addEventListener("change", () => change({ [key]: select.value, page: "" }));
      return select;
    };
    const box = field("Search", make("input", undefined, { type: "search", autocomplete: "off", spellcheck: false }));
    box.setAttribute("aria-label", `Search ${what}`);
    box.addEventListener("input", () => change({ q: box.value, page: "" }));
    const within = choice("in", "in", [["", "all columns"], ...names.map((name, i) => [String(i), name]).filter((item) => /[a-z]/i.test(item[1]))]);
    const picks = new Map();
    for (const key of (table.dataset.picks || "").split(" ").filter(Boolean)) {
      const found = new Map();
      for (const row of rows) for (const value of (row.dataset[key] || "").split("\n").filter(Boolean)) found.set(value, (found.get(value) || 0) + 1);
      if (found.size < 2 || found.size > 60) continue;
      const options = Array.from(found.keys()).sort().map((value) => [value, `${value.length > 48 ? `${value.slice(0, 48)}…` : value} (${count(found.get(value))})`]);
      picks.set(key, choice(key[0].toUpperCase() + key.slice(1), key, [["", "any"], ...options]));
    }
    const said = make("output");
    const clear = button("Clear", () => {
      change(Object.fromEntries(Object.keys(state).map((key) => [key, ""])));
      box.focus();
    });
    const csv = () => [table.dataset.csv, ...kept.map((row) => row.dataset.csv)].join("\n");
    const asCsv = button("Copy as CSV", () => copy(asCsv, csv()));
    const asPowerShell = button("Copy as PowerShell", () => copy(asPowerShell, `$${what} = @'\n${csv()}\n'@ | ConvertFrom-Csv`));
    slot.append(said, clear);
    if (table.dataset.csv) slot.append(asCsv, asPowerShell);

    const pager = make("nav", undefined, { className: "pager" });
    pager.setAttribute("aria-label", `Pages of ${what}`);
    const turn = (step) => () => change({ page: String(Number(state.page || 1) + step) });
    const back = button("Previous", turn(-1));
    const next = button("Next", turn(1));
    const all = button("Show all", () => change({ page: "all" }));
    const where = make("span");
    pager.append(back, where, next, all);
    table.closest(".scroll").after(pager);

    const matches = () => {
      const words = (state.q || "").toLowerCase().split(/\s+/).filter(Boolean);
      const column = state.in ? Number(state.in) : -1;
      if (words.length && !texts) {
        texts = new Map(rows.map((row) => [row, [row.textContent.toLowerCase(), ...Array.from(row.rows[0].cells, (cell) => cell.textContent.toLowerCase())]]));
      }
      return (row) => {
        for (const key of picks.keys()) if (state[key] && !(row.dataset[key] || "").split("\n").includes(state[key])) return false;
        return words.every((word) => (texts.get(row)[column + 1] || "").includes(word));
      };
    };
    const draw = () => {
      kept = order.filter(matches());
      const pages = Math.max(1, Math.ceil(kept.length / PAGE));
      const page = state.page === "all" ? 0 : Math.min(pages, Math.max(1, Math.floor(Number(state.page)) || 1));
      const shown = new Set(page ? kept.slice((page - 1) * PAGE, page * PAGE) : kept);
      const known = new Set(kept);
      for (const row of rows) {
        row.hidden = !known.has(row);
        row.classList.toggle("off", !shown.has(row));
      }
      const asked = Object.keys(state).some((key) => key !== "page" && state[key]);
      said.textContent = `${count(kept.length)} of ${count(rows.length)} ${what}`;
      clear.hidden = !asked;
      pager.hidden = kept.length <= PAGE;
      where.textContent = page ? `Page ${count(page)} of ${count(pages)}` : `All ${count(kept.length)} shown`;
      back.disabled = page < 2;
      next.disabled = !page || page >= pages;
      all.disabled = !page;
    };
    const sortBy = (asked) => {
      const index = Math.abs(Number(asked)) - 1;
      heads.forEach((head) => head.removeAttribute("aria-sort"));
      order = rows;
      if (marks[index]) {
        const sign = asked.startsWith("-") ? -1 : 1;
        heads[index].setAttribute("aria-sort", sign < 0 ? "descending" : "ascending");
        const keyed = rows.map((row, i) => [valueOf(row, index), i, row]);
        keyed.sort((x, y) => (x[0] === "" || y[0] === "" ? compare(x[0], y[0]) : sign * compare(x[0], y[0])) || x[1] - y[1]);
        order = keyed.map((item) => item[2]);
      }
      table.append(...order);
    };
    const take = (asked) => {
      const resort = (asked.sort || "") !== (state.sort || "");
      state = asked;
      box.value = state.q || "";
      within.value = state.in || "";
      if (within.selectedIndex < 0) within.value = state.in = "";
      for (const [key, select] of picks) {
        select.value = state[key] || "";
        if (select.selectedIndex < 0) select.value = state[key] = "";
      }
      if (resort) sortBy(state.sort || "");
      draw();
    };
    const change = (part) => {
      const asked = { ...state, ...part };
      for (const key of Object.keys(asked)) if (!asked[key]) delete asked[key];
      take(asked);
      const query = new URLSearchParams(state).toString();
      history.replaceState(null, "", `#${section.id}${query ? `?${query}` : ""}`);
    };
    heads.forEach((head, index) => {
      if (head.hasAttribute("data-nosort")) return;
      // A span and not a <button>: Chromium leaves form controls out of table heads that it repeats in print.
      const press = (marks[index] = make("span", names[index], { tabIndex: 0 }));
      press.setAttribute("role", "button");
      const sort = () => {
        const before = head.getAttribute("aria-sort");
        const first = head.classList.contains("num") ? "descending" : "ascending";
        const falling = (before === null ? first : before === "ascending" ? "descending" : "ascending") === "descending";
        change({ sort: `${falling ? "-" : ""}${index + 1}`, page: "" });
      };
      press.addEventListener("click", sort);
      press.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        sort();
      });
      head.replaceChildren(press);
    });
    take({});
    tables.set(section.id, {
      section,
      take,
      // Shows one row: on its page, or without the search that hides it.
      show: (row) => {
        if (!kept.includes(row)) take({});
        take({ ...state, page: String(Math.floor(kept.indexOf(row) / PAGE) + 1) });
      },
    });
  };
  document.querySelectorAll('[data-slot="table"]').forEach(setUp);
  for (const link of document.querySelectorAll("a[data-go]")) if (tables.has(link.dataset.go.split(/[#?]/)[1])) link.href = link.dataset.go;

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

  // The page of a filter lies over this page: the rest rests until it is closed, by its link or by Escape.
  const rest = document.querySelectorAll("body > :not(.sheets):not(script):not(.sprite)");
  // What led to the open filter, when it was a link of this page.
  let came = null;
  let inner = false;
  const rests = (sheet) => {
    for (const part of rest) part.inert = Boolean(sheet);
    if (sheet) {
      sheet.setAttribute("role", "dialog");
      sheet.setAttribute("aria-modal", "true");
      sheet.focus();
    }
  };
  const close = (sheet) => {
    if (inner) history.back();
    else location.hash = sheet.querySelector("a.close").hash;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && !link.closest(".sheet")) came = link;
    const shut = event.target.closest("a.close");
    if (shut && inner) {
      event.preventDefault();
      close(shut.closest(".sheet"));
    }
  });
  document.addEventListener("keydown", (event) => {
    const sheet = document.querySelector(".sheet:target");
    if (sheet && event.key === "Escape") close(sheet);
  });

  // A link to a row inside a fold, on another page of its table, or hidden by a search shows it; "#flows?..." asks for rows.
  const reveal = (event) => {
    const [id, query] = location.hash.slice(1).split("?");
    const asked = tables.get(id);
    if (query !== undefined && asked) {
      asked.take(Object.fromEntries(new URLSearchParams(query)));
      asked.section.scrollIntoView();
    }
    let target = null;
    try {
      target = document.getElementById(decodeURIComponent(id));
    } catch {
      // An address that somebody cut.
      return;
    }
    const sheet = target && target.classList.contains("sheet") ? target : null;
    inner = Boolean(sheet && event);
    rests(sheet);
    if (!sheet && came && event && /#filter-/.test(event.oldURL)) came.focus({ preventScroll: true });
    if (!target || sheet) return;
    if (target.tagName === "TBODY") {
      const table = target.closest("section") && tables.get(target.closest("section").id);
      if (table && (target.hidden || target.classList.contains("off"))) {
        table.show(target);
        target.scrollIntoView();
      }
      const own = target.querySelector("details");
      if (own) own.open = true;
    }
    for (let at = target.parentElement; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  };
  window.addEventListener("hashchange", reveal);
  reveal();

  // Print: the folds of findings hold evidence, so they are printed open.
  window.addEventListener("beforeprint", () => {
    for (const item of document.querySelectorAll(".finding details")) item.open = true;
  });
})();
