//! Test support lives here only to give the workspace a package; the tests are in `it/`.
