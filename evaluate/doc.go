// Package evaluate measures how good a fitted model is, on data that it was not fitted to.
//
// A classifier, p(y|x), is measured by Classify: accuracy, log loss, calibration, the areas under the curves of ROC and of precision
// against recall. Posterior keeps its answers, from which follow the same measures with bootstrap intervals, and Choose, the
// threshold that does best by a metric or by costs. A model
// with a density p(x), or a lower bound of it, is measured by Likelihood. A model that can only be sampled is measured
// by Samples, which compares generated with real examples in a stated feature space; one that samples p(x|y) also by
// Agreement, which asks a classifier whether the pictures show what was ordered. NewCurve and Best choose the threshold
// that turns any score into a decision. Privacy asks whether generated examples are copies, and whether a model tells who
// was in its training data.
//
// No measure stands alone: an Estimate carries its standard error, a Bound says on which side of the truth it lies, and
// the sample measures stand beside the value that real data reaches against real data. All is deterministic: the same
// model, data and seed give the same bits at any number of threads.
package evaluate
