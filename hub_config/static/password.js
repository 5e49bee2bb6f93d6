// Shows what is typed, on request, and keeps a form from being sent twice.
import { part } from "./part.js";

const show = part("show-password", HTMLInputElement);
const form = /** @type {HTMLFormElement} */ (show.form);
const send = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
/** @type {NodeListOf<HTMLInputElement>} */
const fields = form.querySelectorAll('input[type="password"]');
const label = /** @type {HTMLLabelElement} */ (show.closest("label"));

label.hidden = false;
show.addEventListener("change", () => {
  for (const field of fields) field.type = show.checked ? "text" : "password";
});

form.addEventListener("submit", () => {
  // A password manager stores what it finds in password fields only.
  for (const field of fields) field.type = "password";
  send.disabled = true;
});
// The back button brings a page back as it was left.
window.addEventListener("pageshow", () => {
  send.disabled = false;
});
