// Empty: this crate exists only so that Cargo.lock pins and verifies two source archives.
