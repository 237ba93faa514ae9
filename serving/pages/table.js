// A table whose rows, order and pages are the service's: it asks for one page at a time, however many there are.

import { announce, element } from "./dom.js";
import { number, t } from "./i18n.js";
import { button, failure } from "./list-parts.js";

// columns: key, label, cell(row), sort (whether it can be sorted by), first (the order that it begins with), less
// (whether narrow screens leave it out), empty(row) (whether it says nothing there: a column that says nothing at all
// is left out). read({sort, order, page, limit}, signal) answers {rows, total, next_page}.
// place: sort, order and the pages gone through, as kept of before. moved(place): called with every change of it.
// chosen: a Map of rows by id, where rows can be chosen. open(row, id): what a click on a row does.
export function table({ caption, columns, read, id, place, moved, chosen, changed, open, empty, limit = 50 }) {
  const state = { sort: place.sort, order: place.order, pages: place.pages?.length ? place.pages : [null], rows: [], total: 0, next: null };
  let running = null;
  const head = element("tr", {});
  const body = element("tbody", {});
  const grid = element("table", { class: "grid-table" }, element("caption", { class: "unseen" }, caption), element("thead", {}, head), body);
  const nothing = element("div", { class: "nothing" });
  const bar = element("div", { class: "pages" });
  const order = sorting({ columns, state, sort: (key, direction) => sortBy(key, direction) });
  const box = element("div", { class: "grid-box" }, grid);
  const node = element("div", { class: "data-table" }, order, box, nothing, bar);

  function sortBy(key, direction) {
    const column = columns.find((one) => one.key === key);
    const first = column.first ?? "asc";
    const turned = state.order === "asc" ? "desc" : "asc";
    state.order = direction ?? (state.sort === key ? turned : first);
    state.sort = key;
    state.pages = [null];
    showHead();
    load();
  }

  const told = () => columns.filter((one) => !one.empty || state.sort === one.key || !state.rows.every(one.empty));

  const names = () => told().map(({ key }) => key).join();

  function showHead() {
    const focused = head.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const all = element("input", { type: "checkbox", "aria-label": t("l_choose_all") });
    all.addEventListener("change", () => {
      for (const row of state.rows) mark(row, all.checked);
      showRows();
      changed?.();
    });
    head.replaceChildren(
      ...(chosen ? [element("th", { scope: "col", class: "pick" }, all)] : []),
      ...told().map((column) => {
        const sorted = state.sort === column.key;
        const direction = state.order === "desc" ? "descending" : "ascending";
        const label = column.sort
          ? element(
              "button",
              { type: "button", class: "sort", "data-key": column.key, on: { click: () => sortBy(column.key) } },
              column.label,
              element("span", { class: "arrow", "aria-hidden": "true" }, sorted ? (state.order === "desc" ? " ↓" : " ↑") : ""),
            )
          : column.label;
        const hidden = column.less ? "less" : "";
        return element("th", { scope: "col", class: `${column.className ?? ""} ${hidden}`, "aria-sort": column.sort ? (sorted ? direction : "none") : null }, label);
      }),
    );
    if (focused) head.querySelector(`[data-key="${focused}"]`)?.focus();
    order.tell();
  }

  function mark(row, on) {
    if (on) chosen.set(id(row), row);
    else chosen.delete(id(row));
  }

  function showRows() {
    // Rows that are drawn anew leave the focus where it was.
    const at = body.contains(document.activeElement) ? document.activeElement : null;
    const [row, kind] = [at?.closest("tr").dataset.id, at?.localName];
    body.replaceChildren(...state.rows.map(line));
    if (row) body.querySelector(`[data-id="${CSS.escape(row)}"] ${kind}`)?.focus({ preventScroll: true });
    const all = head.querySelector("input");
    if (!all) return;
    const count = state.rows.filter((row) => chosen.has(id(row))).length;
    all.checked = count > 0 && count === state.rows.length;
    all.indeterminate = count > 0 && count < state.rows.length;
  }

  function line(row) {
    const choose = chosen && element("input", { type: "checkbox", "aria-label": t("l_choose", { name: row.name ?? id(row) }) });
    if (choose) {
      choose.checked = chosen.has(id(row));
      choose.addEventListener("change", () => {
        mark(row, choose.checked);
        choose.closest("tr").classList.toggle("chosen", choose.checked);
        changed?.();
      });
    }
    const cells = told().map((column, place) =>
      element(place ? "td" : "th", { scope: place ? null : "row", class: `${column.className ?? ""} ${column.less ? "less" : ""}` }, column.cell(row)),
    );
    const node = element("tr", { "data-id": id(row), class: chosen?.has(id(row)) ? "chosen" : null }, choose && element("td", { class: "pick" }, choose), cells);
    // A click anywhere on the row opens it; the keyboard has the button in its first cell.
    node.addEventListener("click", ({ target }) => {
      if (!target.closest("a, button, input, label") && !getSelection().toString()) open?.(row);
    });
    node.addEventListener("keydown", (event) => walk(event, node));
    return node;
  }

  // Up and down lead from row to row within the column of buttons that has the focus.
  function walk(event, node) {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    const kind = event.target.matches("input") ? "input" : "button";
    const other = step && node[step]?.querySelector(kind);
    if (!other) return;
    event.preventDefault();
    other.focus();
  }

  function showPages() {
    const page = state.pages.length;
    const first = (page - 1) * limit + 1;
    const last = first + state.rows.length - 1;
    const back = button(t("l_back"), () => turn(state.pages.slice(0, -1)), { disabled: page < 2 });
    const further = button(t("l_further"), () => turn([...state.pages, state.next]), { disabled: !state.next });
    const start = page > 2 && button(t("l_start"), () => turn([null]));
    bar.replaceChildren(
      element("p", { class: "small" }, state.total ? t("l_shown", { first: number(first), last: number(last), total: number(state.total) }) : ""),
      element("div", { class: "pages-buttons" }, ...[start, back, further].filter(Boolean)),
    );
    bar.hidden = !state.total;
  }

  async function turn(pages) {
    state.pages = pages;
    await load();
    node.scrollIntoView({ block: "start" });
    body.querySelector("button")?.focus({ preventScroll: true });
  }

  async function load({ silent = false } = {}) {
    running?.abort();
    const mine = (running = new AbortController());
    grid.setAttribute("aria-busy", "true");
    moved?.({ sort: state.sort, order: state.order, pages: state.pages });
    if (!state.rows.length) body.replaceChildren(...bones());
    try {
      const { sort, order: direction, pages } = state;
      const found = await read({ sort, order: direction, page: pages.at(-1), limit }, mine.signal);
      if (running !== mine) return;
      const before = names();
      Object.assign(state, { rows: found.rows, total: found.total, next: found.next_page });
      if (names() !== before) showHead();
      showRows();
      showPages();
      const none = !found.rows.length;
      box.hidden = none;
      order.hidden = none;
      nothing.replaceChildren(...(none ? [empty()] : []));
      if (!silent) announce(t("l_found", { count: number(found.total) }));
    } catch (problem) {
      if (problem.name === "AbortError") return;
      if (!("errors" in problem)) throw problem;
      if (running !== mine) return;
      // A page that is there no more: from the beginning.
      if (problem.status === 422 && state.pages.length > 1) {
        state.pages = [null];
        return load();
      }
      box.hidden = true;
      bar.hidden = true;
      nothing.replaceChildren(failure(problem, () => load()));
    } finally {
      if (running === mine) grid.removeAttribute("aria-busy");
    }
  }

  const bones = () =>
    Array.from({ length: 8 }, () =>
      element("tr", { "aria-hidden": "true" }, element("td", { colspan: columns.length + (chosen ? 1 : 0) }, element("span", { class: "bone" }))),
    );

  showHead();
  return {
    node,
    load,
    show: showRows,
    // From the first page on: what is looked for has changed.
    again: () => {
      state.pages = [null];
      return load();
    },
    rows: () => state.rows,
    // The row of this id, or what comes first where it is gone.
    focus: (key) => (body.querySelector(`[data-id="${CSS.escape(key)}"] button`) ?? body.querySelector("button") ?? nothing.querySelector("button"))?.focus(),
  };
}

// On narrow screens columns are left out; their orders are not.
function sorting({ columns, state, sort }) {
  const options = columns.filter((one) => one.sort).flatMap((one) => ["asc", "desc"].map((order) => [`${one.key} ${order}`, `${one.label} ${order === "asc" ? "↑" : "↓"}`]));
  const select = element("select", { id: "table-sort" }, options.map(([value, label]) => element("option", { value }, label)));
  select.addEventListener("change", () => {
    const [key, order] = select.value.split(" ");
    sort(key, order);
  });
  const node = element("div", { class: "field sort-by" }, element("label", { for: "table-sort" }, t("l_sort_by")), select);
  node.tell = () => (select.value = `${state.sort} ${state.order}`);
  return node;
}
