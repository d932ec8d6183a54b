// DOM helpers. Text always becomes a text node, so upstream data is never parsed as HTML.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value != null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

// Skips unchanged text, so that screen readers do not repeat it.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Parses a URL from upstream. Returns null unless its scheme is http or https.
export function parseHttpUrl(text) {
  const url = URL.canParse(text) ? new URL(text) : null;
  return ["http:", "https:"].includes(url?.protocol) ? url : null;
}

export function externalLink(url, ...children) {
  return h("a", { href: url, rel: "noopener noreferrer external" }, ...children);
}

// Has screen readers read `text` aloud.
export function announce(text) {
  document.getElementById("announcements").textContent = text;
}
