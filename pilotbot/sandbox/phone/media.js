// Photos, films, sounds and files inside a bubble.

import { h, icon } from "./dom.js";
import { bytes } from "./format.js";
import { t } from "./i18n.js";
import { player } from "./player.js";
import { view } from "./viewer.js";

const SAFE = /^(https?:|blob:|data:(image|video|audio)\/)/i;
const SAFE_LINK = /^https?:/i;
const DATA = /^data:([^;,]*)[^,]*;base64,([\s\S]*)$/i;

/**
 * Show a medium by its address; what cannot be shown becomes a card of a file.
 * @param {string} address http(s), blob or data address
 * @param {string} kind image, sticker, video, audio or document
 * @param {{id: string, caption?: string, filename?: string, mimeType?: string, voice?: boolean}} about `id` is the
 *   message's; the caption describes a picture; a document is called by its filename
 */
export function media(address, kind, about) {
  const link = String(address);
  if (kind === "document" || !SAFE.test(link)) return file(link, about);
  const broken = () => file(link, about, t("mediaBroken"));
  const failed = (event) => event.target.closest("figure").replaceWith(broken());
  if (kind === "audio") {
    const figure = h("figure", { class: "media audio" });
    const made = player(about.id, link, about.voice, () => figure.replaceWith(broken()));
    if (made === null) return broken();
    figure.append(made);
    return figure;
  }
  if (kind === "video") {
    const video = h("video", {
      src: link,
      controls: true,
      playsinline: true,
      preload: "metadata",
      "aria-label": about.caption || t("video"),
      on: { error: failed },
    });
    return h("figure", { class: "media video" }, video);
  }
  const name = about.caption || t(kind === "sticker" ? "sticker" : "photo");
  const image = h("img", { src: link, alt: name, loading: "lazy", on: { error: failed } });
  if (kind === "sticker") return h("figure", { class: "media sticker" }, image);
  const look = () => view(link, about.caption);
  return h(
    "figure",
    { class: "media image" },
    h(
      "button",
      {
        type: "button",
        class: "media-open",
        "aria-label": t("viewLarge", { name }),
        data: { testid: "view-large" },
        on: { click: look },
      },
      image,
    ),
  );
}

function file(link, about, problem) {
  const name = about.filename || fileName(link);
  const size = h("span", {}, "");
  const data = DATA.exec(link);
  const kind = h("span", {}, problem ?? kindName(name, data?.[1] ?? about.mimeType));
  const content = [
    h("span", { class: "file-sign", "aria-hidden": "true" }, icon("document")),
    h("span", { class: "file-name" }, name),
    h("span", { class: "file-note" }, kind, size),
  ];
  // Three bytes are four characters of base64; what is padded at the end is none.
  if (data) size.textContent = ` · ${bytes(Math.floor((data[2].replace(/[\s=]/g, "").length * 3) / 4))}`;
  else tellSize(link, size);
  if (!SAFE_LINK.test(link) && !data) return h("p", { class: "file" }, content);
  return h(
    "a",
    {
      class: "file",
      href: link,
      download: data || sameOrigin(link) ? name : false,
      target: "_blank",
      rel: "noopener noreferrer",
      "aria-label": t(data || sameOrigin(link) ? "mediaSave" : "mediaOpen", { name }),
      data: { testid: "file" },
    },
    content,
    h("span", { class: "file-get" }, icon(data || sameOrigin(link) ? "download" : "link")),
  );
}

const sameOrigin = (link) => SAFE_LINK.test(link) && new URL(link, location.href).origin === location.origin;

const sizes = new Map(); // address -> how many bytes are there, asked once

/** Write the size of a file of the sandbox; others do not tell theirs to a page from elsewhere. */
async function tellSize(link, element) {
  if (!sameOrigin(link)) return;
  if (!sizes.has(link))
    sizes.set(
      link,
      fetch(link, { method: "HEAD" }).catch(() => null),
    );
  const count = Number((await sizes.get(link))?.headers.get("content-length"));
  if (count) element.textContent = ` · ${bytes(count)}`;
}

/** "PDF" */
function kindName(name, mimeType) {
  const ending = /\.([A-Za-z0-9]{1,5})$/.exec(name)?.[1];
  return (ending ?? /\/([a-z0-9]{1,5})$/i.exec(mimeType ?? "")?.[1] ?? "").toUpperCase() || t("document");
}

function fileName(link) {
  if (!SAFE_LINK.test(link)) return t("document");
  try {
    const { pathname, hostname } = new URL(link);
    return decodeURIComponent(pathname.split("/").at(-1)) || hostname;
  } catch {
    return t("document");
  }
}
