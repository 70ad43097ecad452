//! Shared by the benchmarks: nothing yet but the place.
