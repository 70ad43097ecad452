//! What must not compile: there is no way to a request that may be sent but through the ledger.

#[test]
fn there_is_no_other_way() {
    trybuild::TestCases::new().compile_fail("tests/fail/*.rs");
}
