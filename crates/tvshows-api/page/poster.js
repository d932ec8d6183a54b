// A picture from TVmaze, and the first letters of its name while it is not there, or never comes.

import { h } from "./elements.js";

const HOST = "https://static.tvmaze.com";

export function poster(address, name, { kind = "poster" } = {}) {
  const frame = h("span", { class: `picture ${kind}`, "aria-hidden": "true" }, h("span", { class: "initials" }, initials(name)));
  if (address?.startsWith(`${HOST}/`)) {
    const image = h("img", { alt: "", loading: "lazy", decoding: "async" });
    image.addEventListener("load", () => image.classList.add("there"));
    image.addEventListener("error", () => image.remove());
    image.src = address;
    frame.append(image);
  }
  return frame;
}

// The stored address is that of the original, which may have megabytes; TVmaze keeps a small one beside it.
export const portrait = (original) => original?.replace("/original_untouched/", "/medium_portrait/");

function initials(name) {
  const words = (name ?? "").match(/[\p{L}\p{N}][\p{L}\p{N}'’]*/gu) ?? [];
  return words.filter((word) => !/^(the|a|an|of|and)$/i.test(word)).slice(0, 2).map((word) => [...word][0].toUpperCase()).join("");
}
