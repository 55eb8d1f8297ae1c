"use strict";
const table = document.querySelector("#models"), rows = [...table.tBodies[0].rows];
const filter = document.querySelector("#filter"), shown = document.querySelector("#shown");
filter.addEventListener("input", () => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
  const left = rows.filter((row) => !row.hidden).length;
  shown.textContent = `${left} of ${rows.length} models`;
});
for (const button of table.tHead.querySelectorAll("button")) {
  button.disabled = false;
  button.addEventListener("click", () => {
    const head = button.closest("th"), at = head.cellIndex;
    const up = head.getAttribute("aria-sort") === "descending";
    for (const other of table.tHead.querySelectorAll("th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => row.cells[at].dataset.value ?? row.cells[at].textContent.trim();
    const order = (one, other) => {
      const [a, b] = [key(one), key(other)];
      // A gap is last whichever way is sorted.
      if (a === "" || b === "") return (a === "") - (b === "");
      const found = isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
      return up ? found : -found;
    };
    table.tBodies[0].append(...rows.sort(order));
  });
}
filter.disabled = false;
