//! The benchmark: the receiver beside two floors and five ways in which people build such an endpoint today, all doing the same
//! job on one machine, one after the other, again and again. `cargo xtask bench` builds it and runs it.
//!
//! | module | job |
//! |---|---|
//! | [`options`] | what can be asked for |
//! | [`peer`] | who takes part: found or built, started, stopped |
//! | [`corpus`] | the deliveries, signed beforehand |
//! | [`load`] | sends them |
//! | [`store`] | what is stored, and where |
//! | [`measure`] | what a process costs, by the kernel's account |
//! | [`verify`] | whether a run counts. Pure |
//! | [`run`] | one run |
//! | [`rounds`], [`growth`] | which runs, in which order |
//! | [`results`], [`stats`] | what came of them. Pure |
//! | [`ratios`] | compared with the last committed ones. Pure |
//! | [`report`] | `RESULTS.md` and its picture. Pure |
//! | [`session`] | one use of it all |

pub mod corpus;
pub mod growth;
pub mod load;
pub mod measure;
pub mod options;
pub mod peer;
pub mod ratios;
pub mod report;
pub mod results;
pub mod rounds;
pub mod run;
pub mod session;
pub mod stats;
pub mod store;
pub mod verify;
