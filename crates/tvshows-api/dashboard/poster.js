// An image from TVmaze, with the initials of its name as a placeholder until it has loaded.

import { h } from "./dom.js";

const IMAGE_HOST = "https://static.tvmaze.com";

// `kind` is a CSS class: `poster`, `thumbnail` or `avatar`.
export function poster(url, name, { kind = "poster" } = {}) {
  const frame = h("span", { class: `picture ${kind}`, "aria-hidden": "true" }, h("span", { class: "initials" }, initials(name)));
  if (url?.startsWith(`${IMAGE_HOST}/`)) {
    const image = h("img", { alt: "", loading: "lazy", decoding: "async" });
    image.addEventListener("load", () => image.classList.add("loaded"));
    image.addEventListener("error", () => image.remove());
    image.src = url;
    frame.append(image);
  }
  return frame;
}

// The URL of the small version of an original image, which may be several megabytes.
export const portrait = (originalUrl) => originalUrl?.replace("/original_untouched/", "/medium_portrait/");

function initials(name) {
  const words = (name ?? "").match(/[\p{L}\p{N}][\p{L}\p{N}'’]*/gu) ?? [];
  return words.filter((word) => !/^(the|a|an|of|and)$/i.test(word)).slice(0, 2).map((word) => [...word][0].toUpperCase()).join("");
}
