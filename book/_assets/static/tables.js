/* Sort and filter the long tables. Without scripts they are plain tables. */
"use strict";
const order = new Intl.Collator("en", { numeric: true });
for (const table of document.querySelectorAll("table.sortable")) {
  const rows = [...table.tBodies[0].rows];

  const label = document.createElement("label");
  const field = Object.assign(document.createElement("input"), { type: "search" });
  const count = document.createElement("span");
  count.setAttribute("aria-live", "polite");
  label.append("Filter ", field, " ", count);
  const frame = table.closest(".long-table") ?? table.closest(".pst-scrollable-table-container") ?? table;
  frame.previousElementSibling.append(label); // its place is kept

  const tell = (shown) => { count.textContent = `${shown} of ${rows.length}`; };
  const filter = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    tell(shown);
  };
  field.addEventListener("input", filter);
  tell(rows.length);

  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].textContent.trim();
      rows.sort((a, b) => order.compare(key(a), key(b)) * (down ? -1 : 1));
      table.tBodies[0].append(...rows);
    });
  });
}
