"""The checks of scikit-learn that fit on a few dozen rows: an estimator that refuses so few fails them.

Each has rows of its own, of which the rarer class has between two and forty; no parameter of a check changes
that. Such an estimator passes all of them with the one parameter by which it learns from any number of rows.
"""

from __future__ import annotations

__all__ = ["FEW_ROWS"]

FEW_ROWS = (
    "check_fit_score_takes_y",
    "check_estimators_overwrite_params",
    "check_dont_overwrite_parameters",
    "check_estimators_fit_returns_self",
    "check_readonly_memmap_input",
    "check_n_features_in_after_fitting",
    "check_estimators_dtypes",
    "check_dtype_object",
    "check_pipeline_consistency",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_classifier_data_not_an_array",
    "check_classifiers_classes",
    "check_supervised_y_2d",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_fit2d_1feature",
    "check_dict_unchanged",
    "check_fit_idempotent",
    "check_fit2d_predict1d",
)
