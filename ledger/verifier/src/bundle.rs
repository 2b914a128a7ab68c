//! TODO bundle
