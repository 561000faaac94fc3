//! `/`: where to look.

use axum::response::Html;

/// A page that leads on to everything the listener has.
pub(super) async fn page() -> Html<String> {
    Html(format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>cii-exporter</title>\n\
         <style>:root {{ color-scheme: light dark; font-family: system-ui; margin: 2rem }}</style>\n\
         <h1>cii-exporter {}</h1>\n\
         <ul>\n\
         <li><a href=\"/metrics\">/metrics</a>: for Prometheus\n\
         <li><a href=\"/-/healthy\">/-/healthy</a>: the process answers\n\
         <li><a href=\"/-/ready\">/-/ready</a>: it takes deliveries\n\
         <li>POST /-/reload: reads the configuration again\n\
         </ul>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    ))
}
