//! `/api/v1/openapi.json`: the description of the API.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// An `OpenAPI` 3.1 document. Tests compare it with the answers.
const DOCUMENT: &str = include_str!("openapi.json");

pub(super) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::EventName, web::filter};

    /// The names that a part of the document lists.
    fn names<'a>(document: &'a serde_json::Value, pointer: &str) -> Vec<&'a str> {
        let names = document.pointer(pointer).unwrap().as_array().unwrap();
        names.iter().map(|name| name.as_str().unwrap()).collect()
    }

    #[test]
    fn the_document_lists_every_event_that_goes_out() {
        let document: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
        let known: Vec<_> = filter::public_event_names().map(EventName::as_str).collect();
        assert_eq!(names(&document, "/components/schemas/Event/properties/name/enum"), known);
        let parameters = "/paths/~1api~1v1~1events/get/parameters";
        let position = document.pointer(parameters).unwrap().as_array().unwrap();
        let position = position.iter().position(|parameter| parameter["name"] == "name").unwrap();
        assert_eq!(names(&document, &format!("{parameters}/{position}/schema/enum")), known);
    }
}
