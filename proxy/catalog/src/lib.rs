//! The operations of each control plane as read-only data. Leaves out logic.
