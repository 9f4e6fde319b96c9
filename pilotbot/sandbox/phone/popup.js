// One small thing over the page at a time, beside the button that opened it: a menu, a picker. Escape, its own button, a
// press elsewhere and leaving it with the Tab key close it.

import { byId, fill, h, icon, rove } from "./dom.js";

const GAP = 6; // pixels between the button and what it opened, and from the edge of the screen

let anchor = null; // the button that opened it: {node, key, testid}, for it may be drawn anew meanwhile

/**
 * Open the popup beside a button.
 * @param {Element} node the button
 * @param {{role: string, label: string, class: string}} about
 * @param {Element} content its first control, or the one with `autofocus`, gets the focus
 */
export function openPopup(node, about, content) {
  const popup = byId("popup");
  const same = anchor?.node === node;
  closePopup();
  if (same) return;
  popup.className = `popup ${about.class}`;
  popup.setAttribute("role", about.role);
  popup.setAttribute("aria-label", about.label);
  fill(popup, content);
  anchor = { node, key: node.closest("[data-key]")?.dataset.key, testid: node.dataset.testid };
  node.setAttribute("aria-expanded", "true");
  popup.showPopover();
  place(popup, node.getBoundingClientRect());
  (popup.querySelector("[autofocus]") ?? popup.querySelector("button, input"))?.focus({ preventScroll: true });
}

/** Close the popup; the focus goes back to its button unless it is put elsewhere. */
export function closePopup() {
  if (!anchor) return;
  const popup = byId("popup");
  const { node, key, testid } = anchor;
  anchor = null;
  const lost = document.activeElement === document.body || popup.contains(document.activeElement);
  popup.hidePopover();
  node.removeAttribute("aria-expanded");
  const again = key && document.querySelector(`[data-key="${CSS.escape(key)}"] [data-testid="${testid}"]`);
  if (lost) (node.isConnected ? node : again)?.focus({ preventScroll: true });
}

/** Above the button where there is room, else below; never over the edge of the screen. */
function place(popup, { left, right, top, bottom }) {
  const { offsetWidth: width, offsetHeight: height } = popup;
  const above = top - GAP - height;
  const y = above >= GAP ? above : Math.min(bottom + GAP, innerHeight - GAP - height);
  const x = left + width + GAP <= innerWidth ? left : right - width;
  popup.style.left = `${Math.max(GAP, Math.min(x, innerWidth - GAP - width))}px`;
  popup.style.top = `${Math.max(GAP, y)}px`;
}

/** Wire the popup, once. */
export function wirePopup() {
  const popup = byId("popup");
  const elsewhere = (target) => anchor && !popup.contains(target) && !anchor.node.contains(target);
  document.addEventListener("pointerdown", ({ target }) => elsewhere(target) && closePopup(), true);
  popup.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && elsewhere(relatedTarget) && closePopup());
  popup.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    closePopup();
  });
  rove(popup, "[role^=menuitem]");
}

/**
 * Open a menu: arrow keys, Home and End move in it.
 * @param {Element} node the button
 * @param {string} label
 * @param {Array<{label: string, icon: string, act: () => void, checked?: boolean, class?: string, testid: string}>} items
 *   one with `checked` is a switch
 */
export function openMenu(node, label, items) {
  const entry = (item, index) => {
    const isSwitch = item.checked !== undefined;
    const act = () => {
      closePopup();
      item.act();
    };
    return h(
      "button",
      {
        type: "button",
        class: `menu-item ${item.class ?? ""}`,
        role: isSwitch ? "menuitemcheckbox" : "menuitem",
        "aria-checked": isSwitch ? String(item.checked) : false,
        tabindex: index ? "-1" : "0",
        data: { testid: item.testid },
        on: { click: act },
      },
      icon(item.icon),
      h("span", {}, item.label),
      isSwitch && h("span", { class: "menu-switch" }),
    );
  };
  openPopup(node, { role: "menu", label, class: "popup-menu" }, h("div", { role: "none" }, items.map(entry)));
}
