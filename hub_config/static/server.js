// Stops the member's own server from the home page.
const stop = document.getElementById("stop");

stop.addEventListener("click", async () => {
  stop.disabled = true;
  const answer = await fetch(stop.dataset.url, {
    method: "DELETE",
    headers: { "X-XSRFToken": stop.dataset.xsrf },
  });
  if (answer.ok) location.reload();
  else {
    stop.disabled = false;
    document.getElementById("not-stopped").hidden = false;
  }
});
