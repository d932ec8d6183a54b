// Summaries are user-written HTML from TVmaze. They are rebuilt from their text and an allowlist of elements
// without attributes; other elements are replaced by their text.

import { h } from "./dom.js";

const ALLOWED_ELEMENTS = new Set(["P", "B", "I", "EM", "STRONG", "BR", "UL", "OL", "LI"]);

// The Content-Security-Policy allows no other code to parse HTML.
const policy = globalThis.trustedTypes?.createPolicy("summary", { createHTML: (text) => text });

export function sanitizedSummary(html) {
  const trusted = policy ? policy.createHTML(html) : html;
  // A document from DOMParser neither runs scripts nor loads images.
  const { body } = new DOMParser().parseFromString(trusted, "text/html");
  return h("div", { class: "summary" }, sanitizedChildren(body));
}

function sanitizedChildren(node) {
  return [...node.childNodes].flatMap((child) => {
    if (child.nodeType === Node.TEXT_NODE) return [child.data];
    if (child.nodeType !== Node.ELEMENT_NODE) return [];
    const children = sanitizedChildren(child);
    return ALLOWED_ELEMENTS.has(child.tagName) ? [h(child.tagName.toLowerCase(), {}, children)] : children;
  });
}
