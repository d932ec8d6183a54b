// Who plays whom.

import { h } from "./elements.js";
import { poster, portrait } from "./poster.js";

export function castList(cast) {
  return h("ul", { class: "cast" }, cast.map(member));
}

function member(row) {
  const parts = [row.character_name, row.self && "as themselves", row.voice && "voice"].filter(Boolean);
  return h("li", {}, poster(portrait(row.image), row.character_name, { kind: "face" }),
    h("span", {}, h("span", { class: "person" }, row.person_name), h("span", { class: "quiet" }, parts.join(", "))));
}
