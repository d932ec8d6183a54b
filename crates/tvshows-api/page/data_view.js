// Takes the data away: every table in every form, the database, and what is in them.

import { h, outside } from "./elements.js";
import { ago, moment, number } from "./format.js";
import { fill } from "./loading.js";
import { ask } from "./service.js";
import { TABLES } from "./tables.js";

const FORMS = [
  ["csv", "CSV", "for spreadsheets"],
  ["ndjson", "NDJSON", "an object a line"],
  ["parquet", "Parquet", "typed columns, for analysis"],
];

export function dataView({ signal, heading, title }) {
  title("Data");
  const content = fill(h("div"), signal, async () => {
    const stats = await ask("shows/stats", { signal });
    return [
      published(stats),
      h("section", { class: "card database", "aria-labelledby": "database" },
        h("div", {}, h("h2", { id: "database" }, "The whole database"),
          h("p", { class: "quiet" }, "One SQLite file with all tables, the history and the index for searches, consistent while an update writes.")),
        h("a", { class: "button", href: "export/tvshows.db", download: true }, "tvshows.db")),
      h("div", { class: "tables" }, TABLES.map((table) => tableCard(table, stats.tables[table.file]))),
      attribution(),
    ];
  });
  return [heading, content];
}

function published({ snapshot, published_at: at }) {
  if (!snapshot) {
    return h("p", { class: "quiet" }, "Nothing is published yet: the files have headers alone. ", h("a", { href: "#/runs" }, "Start an update"), ".");
  }
  return h("p", { class: "quiet" }, `Snapshot ${number(snapshot)}`, at && `, published ${moment(at)} (${ago(at)})`, ".");
}

function tableCard({ name, file, about, columns }, rows) {
  const id = `table-${file}`;
  const link = ([form, word, purpose]) => h("li", {},
    h("a", { class: "button", href: `export/${file}.${form}`, download: true, title: purpose, "aria-label": `${name} as ${word}, ${purpose}` }, word));
  const column = ([key, kind, meaning]) => h("tr", {}, h("th", { scope: "row" }, h("code", {}, key)), h("td", {}, kind), h("td", {}, meaning));
  return h("section", { class: "card", "aria-labelledby": id },
    h("h2", { id }, h("code", {}, name), " ", h("span", { class: "quiet" }, `${number(rows)} ${rows === 1 ? "row" : "rows"}`)),
    h("p", { class: "quiet" }, about),
    h("ul", { class: "forms" }, FORMS.map(link)),
    h("details", {}, h("summary", {}, `${columns.length} columns`),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Columns of ${name}` },
        h("table", {}, h("thead", {}, h("tr", {}, ["Column", "Type", "What it is"].map((word) => h("th", { scope: "col" }, word)))),
          h("tbody", {}, columns.map(column))))));
}

function attribution() {
  return h("section", { class: "card", "aria-labelledby": "licence" },
    h("h2", { id: "licence" }, "Whose data it is"),
    h("p", {}, "All of it is ", outside("https://www.tvmaze.com", "TVmaze"), "’s, under the licence ",
      outside("https://creativecommons.org/licenses/by-sa/4.0/", "CC BY-SA 4.0"),
      ". Pass it on under the same licence, and name TVmaze as the source with a link."));
}
