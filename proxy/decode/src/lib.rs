//! Requests to control planes, read exactly.
