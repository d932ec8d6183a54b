import { h } from "./dom.js";
import { portrait, poster } from "./poster.js";

export function castList(cast) {
  return h("ul", { class: "cast" }, cast.map(castMember));
}

function castMember(row) {
  const roles = [row.character_name, row.self && "self", row.voice && "voice"].filter(Boolean);
  return h("li", {}, poster(portrait(row.image), row.character_name, { kind: "avatar" }),
    h("span", {}, h("span", { class: "person" }, row.person_name), h("span", { class: "muted" }, roles.join(", "))));
}
