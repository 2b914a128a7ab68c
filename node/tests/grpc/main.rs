//! The edge over real sockets, in front of a backend that does what the test says.

mod edge;
mod fake;
mod life;
mod limits;
mod proved;
mod requests;
mod streams;
