//! Nothing: a package needs a target, and the tests are in `it/`.
