//! The ledger from outside: what it promises, shown on stores that fail, forget and are cut off.

#[cfg(test)]
mod support;

#[cfg(test)]
mod disk;

#[cfg(test)]
mod recalled;

#[cfg(test)]
mod record;

#[cfg(test)]
mod owed;

#[cfg(test)]
mod power;

#[cfg(test)]
mod start;

#[cfg(test)]
mod tamper;

#[cfg(test)]
mod tunnel;

#[cfg(test)]
mod offline;

#[cfg(test)]
mod not_compiled;
