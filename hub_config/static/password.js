// Shows what is typed, on request, and keeps a form from being sent twice.
const show = document.getElementById("show-password");
const fields = document.querySelectorAll('input[type="password"]');

show.closest("label").hidden = false;
show.addEventListener("change", () => {
  for (const field of fields) field.type = show.checked ? "text" : "password";
});

const form = show.closest("form");
form.addEventListener("submit", () => {
  // A password manager stores what it finds in password fields only.
  for (const field of fields) field.type = "password";
  form.querySelector("button").disabled = true;
});
// The back button brings a page back as it was left.
window.addEventListener("pageshow", () => {
  form.querySelector("button").disabled = false;
});
