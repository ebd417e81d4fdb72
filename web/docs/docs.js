// Starts the documentation. Addresses are relative to this page, so that it works below any stage path. A token is
// kept only in the memory of the page, so a reload drops it.
"use strict";

SwaggerUIBundle({
  url: new URL("v3/openapi.json", document.baseURI).href,
  dom_id: "#docs",
  deepLinking: true,
  persistAuthorization: false,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  validatorUrl: null,
  oauth2RedirectUrl: location.href,
});
