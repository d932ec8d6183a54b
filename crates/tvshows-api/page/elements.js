// Builds elements. Every text becomes a text node, so nothing that comes from upstream is ever read as HTML.

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

// Leaves the element alone when it says the text already: screen readers hear what is written anew.
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// An address from upstream, only where following it cannot run anything.
export function webAddress(text) {
  const url = URL.canParse(text) ? new URL(text) : null;
  return ["http:", "https:"].includes(url?.protocol) ? url : null;
}

export function outside(address, ...children) {
  return h("a", { href: address, rel: "noopener noreferrer external" }, ...children);
}

export function announce(text) {
  document.getElementById("announcements").textContent = text;
}
