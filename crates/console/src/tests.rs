use axum::{body::Body, http::Request};
use tower::ServiceExt;

use super::*;

async fn ask(path: &str, encoding: &str, known: Option<&str>) -> Response {
    let setting = Setting { demo: None, graphiql: true };
    let mut request = Request::get(path).header("accept-encoding", encoding);
    if let Some(known) = known {
        request = request.header("if-none-match", known);
    }
    router::<()>(setting).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn pages_are_asked_for_anew_and_let_nothing_inline_in() {
    for page in ["/", "/graphiql"] {
        let response = ask(page, "identity", None).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, "cache-control"), "no-cache");
        assert_eq!(header(&response, "content-type"), "text/html");
        let policy = header(&response, "content-security-policy").to_owned();
        let scripts = policy.split(';').find(|rule| rule.trim().starts_with("script-src")).unwrap();
        assert!(policy.starts_with("default-src 'none'") && !scripts.contains("unsafe"), "{policy}");
        assert!(page != "/" || !policy.contains("unsafe"), "{policy}");
        let tag = header(&response, "etag").to_owned();
        let html = text(response).await;
        assert!(!html.contains("<script>") && !html.contains(" style="), "{html}");
        let again = ask(page, "identity", Some(&tag)).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(text(again).await, "");
    }
}

#[tokio::test]
async fn what_a_page_names_is_there_and_kept_for_good() {
    let html = text(ask("/", "identity", None).await).await;
    let named: Vec<&str> = html.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert!(!named.is_empty(), "{html}");
    for name in named {
        let response = ask(name, "gzip, br", None).await;
        assert_eq!(response.status(), StatusCode::OK, "{name}");
        assert_eq!(header(&response, "cache-control").contains("immutable"), is_complete(), "{name}");
        if is_complete() && name.ends_with(".js") {
            assert_eq!(header(&response, "content-encoding"), "br", "{name}");
            assert_eq!(header(&ask(name, "gzip, br;q=0", None).await, "content-encoding"), "", "{name}");
        }
    }
}

#[tokio::test]
async fn nothing_else_is_served() {
    for path in ["/assets/none.js", "/assets/%2e%2e%2findex.html", "/index.html.br", "/package.json"] {
        assert_eq!(ask(path, "identity", None).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn accounts_are_told_where_there_are_some() {
    assert_eq!(text(ask("/console.json", "identity", None).await).await, r#"{"demo":null,"graphiql":true}"#);
}
