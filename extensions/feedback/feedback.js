// @ts-check
/** Lays out the feedback on one submission. Every text comes from the kernel and goes in as text, never as HTML. */

/** @typedef {{exercise: string, points: string, state: "full" | "part" | "none" | "open", texts: string[]}} Row */
/** @typedef {{caption: string, headers: string[], rows: Row[], more: string,
 *   pages: {name: string, href: string}[]}} Table */
/** @typedef {{get(name: "receipt" | "status" | "language"): string, get(name: "busy"): boolean, get(name: "table"): Table | null,
 *   on(event: string, callback: () => void): void, off(event: string, callback: () => void): void}} Model */

export default {
  /** @param {{model: Model, el: HTMLElement}} given */
  render({ model, el }) {
    const receipt = element("p", "spoc-receipt");
    const status = element("p", "spoc-status");
    status.setAttribute("role", "status");
    const feedback = element("div", "spoc-details");
    const root = element("section", "spoc-feedback");
    root.lang = model.get("language");
    root.append(receipt, status, feedback);
    el.replaceChildren(root);

    const show = () => {
      setText(receipt, model.get("receipt"));
      receipt.hidden = receipt.textContent === "";
      setText(status, model.get("status"));
      // Not of the whole: a screen reader says nothing of what is busy, and the place in the queue is to be heard.
      feedback.setAttribute("aria-busy", String(model.get("busy")));
      root.classList.toggle("spoc-busy", model.get("busy"));
    };
    const showTable = () => {
      const table = model.get("table");
      feedback.replaceChildren(...(table ? [tableOf(table), pagesOf(table)] : []));
    };
    // Screen readers read out what changes in a page: the text comes when its place stands there.
    const first = setTimeout(show, 100);
    showTable();
    const texts = ["change:receipt", "change:status", "change:busy"];
    for (const change of texts) model.on(change, show);
    model.on("change:table", showTable);
    return () => {
      clearTimeout(first);
      for (const change of texts) model.off(change, show);
      model.off("change:table", showTable);
    };
  },
};

/** @param {HTMLElement} place @param {string} text */
function setText(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** @param {Table} table */
function tableOf(table) {
  const head = element("tr");
  head.append(...table.headers.map((text) => headed("col", text)));
  const thead = element("thead");
  thead.append(head);
  const tbody = element("tbody");
  tbody.append(...table.rows.map(rowOf));
  const whole = element("table");
  whole.append(element("caption", "", table.caption), thead, tbody);
  return whole;
}

/** @param {Row} row */
function rowOf(row) {
  const line = element("tr", `spoc-${row.state}`);
  const texts = element("td");
  texts.append(...row.texts.map((text) => element("p", "", text)));
  line.append(headed("row", row.exercise), element("td", "spoc-points", row.points), texts);
  return line;
}

/** @param {Table} table */
function pagesOf(table) {
  const line = element("p", "spoc-pages", `${table.more} `);
  table.pages.forEach(({ name, href }, index) => {
    const link = Object.assign(document.createElement("a"), { textContent: name, href, target: "_blank", rel: "noopener" });
    line.append(index ? ", " : "", link);
  });
  return line;
}

/** @param {"row" | "col"} scope @param {string} text */
function headed(scope, text) {
  const cell = document.createElement("th");
  cell.scope = scope;
  cell.textContent = text;
  return cell;
}

/** @param {string} tag @param {string} className @param {string} text */
function element(tag, className = "", text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}
