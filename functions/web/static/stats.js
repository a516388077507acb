// The button that prints the page of statistics; without this script the menu of the browser does.
const button = document.getElementById("print");
button.hidden = false;
button.addEventListener("click", () => window.print());
