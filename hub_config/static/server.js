// Stops the member's own server from the home page.
import { part } from "./part.js";

const stop = part("stop", HTMLButtonElement);

stop.addEventListener("click", async () => {
  stop.disabled = true;
  const answer = await fetch(stop.dataset.url ?? "", {
    method: "DELETE",
    headers: { "X-XSRFToken": stop.dataset.xsrf ?? "" },
  });
  if (answer.ok) location.reload();
  else {
    stop.disabled = false;
    part("not-stopped", HTMLElement).hidden = false;
  }
});
