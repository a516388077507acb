// "Near me" on the start page: finds the place of the reader and opens the map there. Without this script, or where the phone
// does not tell its place, the link leads to the map as it is.
const near = document.getElementById("near");
const show = (id) => ["near-wait", "near-failed"].forEach((one) => { document.getElementById(one).hidden = one !== id; });
const state = { asked: false }; // asked without an answer, or refused

near.addEventListener("click", (e) => {
  if (state.asked || !navigator.geolocation || e.ctrlKey || e.metaKey || e.shiftKey) return;
  e.preventDefault();
  state.asked = true;
  show("near-wait");
  navigator.geolocation.getCurrentPosition(({ coords }) => {
    state.asked = false;
    show("");
    location.href = "/map#15/" + coords.latitude.toFixed(5) + "/" + coords.longitude.toFixed(5);
  }, () => show("near-failed"), { timeout: 15e3, maximumAge: 60e3 });
});
