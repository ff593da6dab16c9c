// Sends the answer on to the client; without scripts, the page's button does.
document.getElementById("form-post").submit();
