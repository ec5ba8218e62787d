// Used by several components: answers of the server, numbers of photos, months, and places in a row of bars.

/** Return what the server answers, as JSON; an error has the server's message. */
export async function loadJson(address) {
  const response = await fetch(address);
  const content = await response.json();
  if (!response.ok) throw new Error(content.error ?? "the server does not answer");
  return content;
}

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export const formatPhotos = (count) => count.toLocaleString("en") + (count === 1 ? " photo" : " photos");

/** Return a month, counted from 1, as 2024-03. */
export const formatMonth = (year, month) => String(year).padStart(4, "0") + "-" + String(month).padStart(2, "0");

/** Return which of some equally wide bars of an element is below the pointer. */
export function findBar(element, event, count) {
  const box = element.getBoundingClientRect();
  return clamp(Math.floor(((event.clientX - box.left) / box.width) * count), 0, count - 1);
}
