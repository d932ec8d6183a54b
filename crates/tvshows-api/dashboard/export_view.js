// Downloads: every table in every format, the database, and a description of the columns.

import { request } from "./api_client.js";
import { externalLink, h } from "./dom.js";
import { formatDateTime, formatNumber, pluralize, timeAgo } from "./format.js";
import { loadInto } from "./loading.js";
import { TABLES } from "./table_schema.js";

const FORMATS = [
  ["csv", "CSV", "for spreadsheets"],
  ["ndjson", "NDJSON", "one object per line"],
  ["parquet", "Parquet", "typed columns, for analysis"],
];

export function exportView({ signal, heading, title }) {
  title("Export");
  const content = loadInto(h("div"), signal, async () => {
    const stats = await request("shows/stats", { signal });
    return [
      snapshotLine(stats),
      h("section", { class: "card database", "aria-labelledby": "database" },
        h("div", {}, h("h2", { id: "database" }, "Full database"),
          h("p", { class: "muted" }, "One SQLite file with all tables and the run history. The copy is consistent even during an update.")),
        h("a", { class: "button", href: "export/tvshows.db", download: true }, "tvshows.db")),
      h("div", { class: "tables" }, TABLES.map((table) => tableCard(table, stats.tables[table.file]))),
      licenseCard(),
    ];
  });
  return [heading, content];
}

function snapshotLine({ snapshot, published_at: publishedAt }) {
  if (!snapshot) {
    return h("p", { class: "muted" }, "No data yet: the files contain only column headers. ", h("a", { href: "#/runs" }, "Go to runs"), ".");
  }
  return h("p", { class: "muted" }, `Snapshot ${formatNumber(snapshot)}`, publishedAt && `, published ${formatDateTime(publishedAt)} (${timeAgo(publishedAt)})`);
}

function tableCard({ name, file, description, columns }, rowCount) {
  const id = `table-${file}`;
  const link = ([extension, format, purpose]) => h("li", {},
    h("a", { class: "button", href: `export/${file}.${extension}`, download: true, title: purpose, "aria-label": `${name} as ${format}, ${purpose}` }, format));
  const column = ([column, type, meaning]) => h("tr", {}, h("th", { scope: "row" }, h("code", {}, column)), h("td", {}, type), h("td", {}, meaning));
  return h("section", { class: "card", "aria-labelledby": id },
    h("h2", { id }, h("code", {}, name), " ", h("span", { class: "muted" }, pluralize(rowCount, "row"))),
    h("p", { class: "muted" }, description),
    h("ul", { class: "formats" }, FORMATS.map(link)),
    h("details", {}, h("summary", {}, `${columns.length} columns`),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Columns of ${name}` },
        h("table", {}, h("thead", {}, h("tr", {}, ["Column", "Type", "Description"].map((label) => h("th", { scope: "col" }, label)))),
          h("tbody", {}, columns.map(column))))));
}

function licenseCard() {
  return h("section", { class: "card", "aria-labelledby": "license" },
    h("h2", { id: "license" }, "License"),
    h("p", {}, "All data is from ", externalLink("https://www.tvmaze.com", "TVmaze"), ", licensed under ",
      externalLink("https://creativecommons.org/licenses/by-sa/4.0/", "CC BY-SA 4.0"),
      ". If you share it, use the same license and credit TVmaze with a link."));
}
