"use strict";
const place = document.getElementById("swagger");
if (place && window.SwaggerUIBundle) {
  window.SwaggerUIBundle({
    domNode: place, url: place.dataset.schema, validatorUrl: null, deepLinking: true,
    docExpansion: "none", defaultModelsExpandDepth: 0,
    presets: [window.SwaggerUIBundle.presets.apis],
    onComplete: () => {
      // Swagger's list of servers comes without a name for screen readers.
      const servers = document.getElementById("servers");
      if (servers) servers.setAttribute("aria-label", "Server");
    },
    requestInterceptor: (request) => {
      const found = document.cookie.match(/(?:^|; )docflow_csrf=([^;]*)/);
      if (found && new URL(request.url, location.href).origin === location.origin) {
        request.headers["X-CSRF-Token"] = decodeURIComponent(found[1]);
      }
      return request;
    },
  });
}
