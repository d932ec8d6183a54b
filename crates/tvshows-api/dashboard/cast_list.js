import { h } from "./dom.js";
import { portrait, poster } from "./poster.js";

export function castList(cast) {
  return h("ul", { class: "cast" }, cast.map(castMember));
}

function castMember(row) {
  return h("li", {}, poster(portrait(row.image), row.character_name, { kind: "avatar" }),
    h("span", {}, h("span", { class: "person" }, row.person_name), h("span", { class: "muted" }, roleLabel(row))));
}

// Omits the character's name if it repeats the person's.
export function roleLabel({ person_name: person, character_name: character, self, voice }) {
  if (self && character === person) return "self";
  return `${character}${self ? " (self)" : ""}${voice ? " (voice)" : ""}`;
}
