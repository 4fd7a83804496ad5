//! Scratch.
use aether_demo::{Bar, Options, load};
#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    let scale = std::env::args().nth(2).map_or(1, |s| s.parse().unwrap());
    let pool = sea_orm::sqlx::PgPool::connect(&url).await.unwrap();
    let options = Options { today: chrono::Utc::now().date_naive(), seed: 42, scale, password_hash: "$argon2id$x".into(), seal: std::sync::Arc::new(<[u8]>::to_vec) };
    match load(&pool, &options, &Bar::new()).await {
        Ok(s) => { for (t, n) in &s.tables { println!("{t:28} {n}"); } println!("{} rows {:?}", s.rows(), s.elapsed); }
        Err(e) => { println!("{e}: {:?}", e); std::process::exit(1) }
    }
}
