// Building DOM from plain values. Text only ever becomes a text node: nothing here parses markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element.
 * @param {string} tag
 * @param {object} [props] `class`, `on` ({event: listener}), `data` (data-* attributes); the rest are attributes.
 *   true writes an empty attribute; false, null and undefined write none.
 * @param {...(Node|string|null|false|undefined|Array)} children
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on")
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "data") for (const [key, text] of Object.entries(value)) element.dataset[key] = text ?? "";
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** Find one element by id. */
export const byId = (id) => document.getElementById(id);

/** Replace the children of an element. */
export function fill(element, ...children) {
  element.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

const versions = new WeakMap(); // element -> the version it was built from

/**
 * Bring the children of `parent` in line with `items`, keeping every node whose version is unchanged, so that focus,
 * scroll position and playing media survive.
 * @param {Element} parent
 * @param {Array<{key: string, version: string, build: () => Element}>} items
 */
export function reconcile(parent, items) {
  const present = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const wanted = items.map(({ key, version, build }) => {
    const old = present.get(key);
    present.delete(key);
    if (old && versions.get(old) === version) return old;
    const node = build();
    node.dataset.key = key;
    versions.set(node, version);
    if (old) replace(old, node);
    return node;
  });
  for (const node of present.values()) node.remove();
  wanted.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}

const REACHABLE = "button, a, input, select, summary, [tabindex]";

/** Put a node in the place of its older self; what had the focus in the old one has it in the new one. */
function replace(old, node) {
  const focused = document.activeElement;
  const had = old.contains(focused);
  const alike = (within) =>
    [...within.querySelectorAll(REACHABLE)].filter((each) => each.dataset.testid === focused.dataset.testid);
  const at = alike(old).indexOf(focused);
  old.replaceWith(node);
  if (had) (old === focused ? node : (alike(node)[at] ?? node)).focus({ preventScroll: true });
}

/** Arrow keys, Home and End move the focus among the items of a list; only one of them is in the tab order. */
export function rove(list, selector) {
  list.addEventListener("keydown", (event) => {
    const items = [...list.querySelectorAll(selector)];
    const at = items.indexOf(event.target.closest(selector));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (at < 0 || to === undefined || !items[to]) return;
    event.preventDefault();
    items.forEach((item, index) => item.setAttribute("tabindex", index === to ? "0" : "-1"));
    items[to].focus();
  });
}

/** After a list changed: exactly one of its items can be reached by the Tab key. */
export function keepOneTabStop(list, selector, preferred) {
  const items = [...list.querySelectorAll(selector)];
  const stop = items.find((item) => item === document.activeElement) ?? items.find(preferred) ?? items[0];
  for (const item of items) item.setAttribute("tabindex", item === stop ? "0" : "-1");
}

const PATHS = {
  dots: "M6 10a2 2 0 1 1 0 4 2 2 0 0 1 0-4zm6 0a2 2 0 1 1 0 4 2 2 0 0 1 0-4zm6 0a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
  again: "M12 5V1L7 6l5 5V7a5 5 0 1 1-5 5H5a7 7 0 1 0 7-7z",
  send: "M3 20.5 21.5 12 3 3.5v6.6L15 12 3 13.9z",
  attach:
    "M16.5 6.5v10.2a4.5 4.5 0 0 1-9 0V6a3 3 0 0 1 6 0v9.8a1.5 1.5 0 0 1-3 0V7H9v8.8a3 3 0 0 0 6 0V6a4.5 4.5 0 0 0-9 0v10.7a6 6 0 0 0 12 0V6.5z",
  back: "M20 11H7.8l5.6-5.6L12 4l-8 8 8 8 1.4-1.4L7.8 13H20z",
  close: "M18.3 5.7 12 12l6.3 6.3-1.4 1.4L10.6 13.4 4.3 19.7 2.9 18.3 9.2 12 2.9 5.7l1.4-1.4 6.3 6.3 6.3-6.3z",
  plus: "M11 4h2v7h7v2h-7v7h-2v-7H4v-2h7z",
  log: "M4 5h16v2H4zm0 6h16v2H4zm0 6h10v2H4z",
  tune: "M4 6h9v2H4zm13 0h3v2h-3v2h-2V4h2zM4 16h3v2H4zm5-2h2v2h9v2h-9v2H9zM4 11h9v2H4zm0 0",
  quote: "M10 9V5l-7 7 7 7v-4.1c5 0 8.5 1.6 11 5.1-1-5-4-10-11-11z",
  document: "M6 2h8l6 6v14H6zm7 1.8V9h5.2zM8.5 13h7v1.5h-7zm0 3.5h7V18h-7z",
  template: "M4 4h16v4H4zm0 6h7v10H4zm9 0h7v10h-7z",
  clock: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zm0 2a7 7 0 1 0 0 14 7 7 0 0 0 0-14zm-1 2h2v4.6l3.3 3.3-1.4 1.4L11 12.4z",
  sent: "M9.5 16.2 5.3 12l-1.4 1.4 5.6 5.6 11-11-1.4-1.4z",
  double:
    "M.9 12.9 2.3 11.5l4.9 4.9-1.4 1.4zM5.9 11.5l4.9 4.9L22 5.2l1.4 1.4-12.6 12.6L4.5 12.9zM16.4 5.2l1.4 1.4-6.5 6.5-1.4-1.4z",
  failed: "M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zm-1 5v7h2V7zm0 9v2h2v-2z",
  link: "M14 4h6v6h-2V7.4l-8.3 8.3-1.4-1.4L16.6 6H14zM5 6h5v2H7v9h9v-3h2v5H5z",
  call: "M6.6 10.8a15 15 0 0 0 6.6 6.6l2.2-2.2 4.6 1.1V20a1 1 0 0 1-1 1A16 16 0 0 1 3 5a1 1 0 0 1 1-1h3.7l1.1 4.6z",
  copy: "M8 3h11v14H8zm2 2v10h7V5zM5 7v14h11v-2H7V7z",
  reply: "M10 9V5l-7 7 7 7v-4.1c5 0 8.5 1.6 11 5.1-1-5-4-10-11-11z",
  phone: "M7 1h10a2 2 0 0 1 2 2v18a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V3a2 2 0 0 1 2-2zm0 4v13h10V5zm4 15v1.5h2V20z",
  search:
    "M10.5 3a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15zm0 2a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM16 14.6l5 5-1.4 1.4-5-5z",
  emoji:
    "M12 2.5a9.5 9.5 0 1 1 0 19 9.5 9.5 0 0 1 0-19zm0 2a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15zM8.7 8.3a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6zm6.6 0a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6zM7 13.2h10a5 5 0 0 1-10 0z",
  more: "M12 4a2 2 0 1 1 0 4 2 2 0 0 1 0-4zm0 6a2 2 0 1 1 0 4 2 2 0 0 1 0-4zm0 6a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
  details:
    "M12 2.5a9.5 9.5 0 1 1 0 19 9.5 9.5 0 0 1 0-19zm0 2a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15zM11 10.5h2V17h-2zM11 7h2v2h-2z",
  image: "M3 4h18v16H3zm2 2v12h14V6zm1.5 10.5 4-5 3 3.5 2-2.5 3 4zM8 8a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3z",
  video: "M3 6h12v12H3zm13.5 4.3L21 7v10l-4.5-3.3z",
  audio:
    "M12 2a3.5 3.5 0 0 1 3.5 3.5v6a3.5 3.5 0 0 1-7 0v-6A3.5 3.5 0 0 1 12 2zM5.5 11h2a4.5 4.5 0 0 0 9 0h2a6.5 6.5 0 0 1-5.5 6.4V21h-2v-3.6A6.5 6.5 0 0 1 5.5 11z",
  sound: "M9 4.2 20 2v13.5a3 3 0 1 1-2-2.8V6.4l-7 1.4v10.7a3 3 0 1 1-2-2.8z",
  sticker: "M4 4h16v9l-7 7H4zm2 2v12h6v-6h6V6zm8 8v3.2l3.2-3.2z",
  pin: "M12 2a7 7 0 0 1 7 7c0 4.8-7 13-7 13S5 13.8 5 9a7 7 0 0 1 7-7zm0 4.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  person: "M12 3a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM3.5 20.5c0-4 4.2-6.5 8.5-6.5s8.5 2.5 8.5 6.5v.5h-17z",
  block:
    "M12 2.5a9.5 9.5 0 1 1 0 19 9.5 9.5 0 0 1 0-19zm-5.9 5a7.5 7.5 0 0 0 10.4 10.4zm1.4-1.4 10.4 10.4A7.5 7.5 0 0 0 7.5 6.1z",
  edit: "M4 16.6 15.6 5 19 8.4 7.4 20H4zM17 3.6l1-1a1.4 1.4 0 0 1 2 0L21.4 4a1.4 1.4 0 0 1 0 2l-1 1z",
  eye: "M12 5c5 0 8.6 3.6 10 7-1.4 3.4-5 7-10 7S3.4 15.4 2 12c1.4-3.4 5-7 10-7zm0 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8zm0 2a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
  play: "M7 4.5 19.5 12 7 19.5z",
  pause: "M6.5 5h4v14h-4zm7 0h4v14h-4z",
  list: "M4 5h3v3H4zm5 .5h11v2H9zM4 10.5h3v3H4zm5 .5h11v2H9zM4 16h3v3H4zm5 .5h11v2H9z",
  download: "M11 3h2v9.2l3.3-3.3 1.4 1.4L12 16l-5.7-5.7 1.4-1.4 3.3 3.3zM4 19h16v2H4z",
  lock: "M7 10V7a5 5 0 0 1 10 0v3h1.5v11h-13V10zm2 0h6V7a3 3 0 0 0-6 0z",
  group:
    "M9 5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7zm7.5 1a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6zM2 18.5c0-2.8 3.5-4.5 7-4.5s7 1.7 7 4.5V20H2zm15.5 1.5H22v-1.2c0-2.1-2.6-3.5-5.3-3.5l-.9.1c1.1.8 1.7 1.9 1.7 3.2z",
};

/** A decorative icon (hidden from assistive technology: the control that holds it carries the label). */
export const icon = (name) => shape({ viewBox: "0 0 24 24", class: `icon icon-${name}` }, { [name]: PATHS[name] });

/** A decorative drawing of paths, each named in data-part. */
export function shape(props, paths) {
  const made = (tag, attributes) => {
    const element = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const svg = made("svg", { ...props, "aria-hidden": "true" });
  svg.append(...Object.entries(paths).map(([name, d]) => made("path", { "data-part": name, d })));
  return svg;
}
