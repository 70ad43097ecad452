//! That something may pass unrecorded is configuration's word.

use ordain_rules::ShadowScope;

fn main() {
    let _forged = ShadowScope(());
}
