// Package augment enlarges data sets, and measures whether that helps a classifier.
//
// Three ways to enlarge: Draw takes examples x ~ p(x|y) from a generative model; Variation moves and mirrors pictures; SMOTE
// interpolates between neighbouring rows of a table. Study trains the same classifier on real examples alone and on real
// examples with each kind of others, and Compare says what the difference is, with an interval that counts the chance in
// the seeds and in the test examples.
package augment
