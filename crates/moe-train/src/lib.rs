//! Native: prepare the corpus, train, export, measure.
