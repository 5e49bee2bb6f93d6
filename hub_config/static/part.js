/**
 * The part of the page that has this id.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {{ new (): T }} kind What the template makes it.
 * @returns {T}
 */
export function part(id, kind) {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`The page has no ${kind.name} called ${id}.`);
}
