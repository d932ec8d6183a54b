// A summary of upstream, which is HTML of anybody: rebuilt from its texts and a few plain elements without any
// attribute. What else there is gives way to its own text, so nothing is hidden and nothing is run.

import { h } from "./elements.js";

const PLAIN = new Set(["P", "B", "I", "EM", "STRONG", "BR", "UL", "OL", "LI"]);

// The policy of the page refuses to read any text as HTML but through here.
const policy = globalThis.trustedTypes?.createPolicy("summary", { createHTML: (text) => text });

export function summary(html) {
  const text = policy ? policy.createHTML(html) : html;
  // A document that is parsed this way runs no script and loads no picture.
  const { body } = new DOMParser().parseFromString(text, "text/html");
  return h("div", { class: "summary" }, plain(body));
}

function plain(node) {
  return [...node.childNodes].flatMap((child) => {
    if (child.nodeType === Node.TEXT_NODE) return [child.data];
    if (child.nodeType !== Node.ELEMENT_NODE) return [];
    return PLAIN.has(child.tagName) ? [h(child.tagName.toLowerCase(), {}, plain(child))] : plain(child);
  });
}
